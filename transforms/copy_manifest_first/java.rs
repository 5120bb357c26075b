use super::answer::{Answer, Question};
pub(super) const MAVEN_GOALS: [&str; 1] = ["package"];
pub(super) const GRADLE_TASKS: [&str; 1] = ["build"];
pub(super) fn maven(_: &Question<'_>) -> Result<Answer, String> {
    Ok(Answer::Other)
}
pub(super) fn gradle(_: &Question<'_>) -> Result<Answer, String> {
    Ok(Answer::Other)
}
