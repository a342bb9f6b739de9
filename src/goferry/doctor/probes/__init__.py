"""What looks at the world: each probe asks one kind of question and returns records, judging nothing."""
