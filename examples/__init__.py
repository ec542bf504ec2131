"""Subjects that show failtrace at work; each folder has a README of its own."""
