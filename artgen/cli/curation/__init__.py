"""Commands of curation: ``curate`` (the contact sheet) and ``pick``."""
