"""What a chart must be told of the theme: Streamlit hands it colours for marks and axes, none for text."""

import streamlit as st


def ink() -> str:
    """The text colour of the reader's theme, from .streamlit/config.toml."""
    kind = st.context.theme.type or "light"
    return str(st.get_option(f"theme.{kind}.textColor") or "gray")
