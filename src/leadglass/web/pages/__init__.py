"""The pages: HTML that is readable without JavaScript."""
