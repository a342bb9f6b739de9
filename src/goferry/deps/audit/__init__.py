"""The health audit: `records` says what was found, `judge` finds it, `ignoring` and `since` set aside, `forms` show."""
