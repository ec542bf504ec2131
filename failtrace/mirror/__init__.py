"""The local SQLite mirror: every execution, the source of all lists and charts.

`failtrace.mirror.mirror.Mirror` is the way in; `failtrace.mirror.views` holds what it answers. Nothing is
imported here, so that the views can be used without loading SQLAlchemy.
"""
