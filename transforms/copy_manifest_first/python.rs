use super::answer::{Answer, Question};
pub(super) fn poetry(_: &Question<'_>) -> Result<Answer, String> {
    Ok(Answer::Other)
}
pub(super) fn uv(_: &Question<'_>) -> Result<Answer, String> {
    Ok(Answer::Other)
}
pub(super) fn pipenv(_: &Question<'_>) -> Result<Answer, String> {
    Ok(Answer::Other)
}
pub(super) fn pdm(_: &Question<'_>) -> Result<Answer, String> {
    Ok(Answer::Other)
}
