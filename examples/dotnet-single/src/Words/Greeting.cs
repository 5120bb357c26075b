namespace Words;

public static class Greeting
{
    public const string Text = "good morning";
}
