using Humanizer;

System.Console.WriteLine(Words.Greeting.Text.Transform(To.TitleCase));
