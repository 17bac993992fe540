"""Who is covered, how and when; free regions: a project's plan of de-identification."""
