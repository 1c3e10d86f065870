"""The mailed contact sheet: one HTML file, and the picks that come back."""
