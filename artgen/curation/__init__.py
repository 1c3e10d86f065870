"""The contact sheet: choosing a few of many candidates in the browser."""
