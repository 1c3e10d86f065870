"""Commands to choose: the contact sheet and picks."""
