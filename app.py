"""The dashboard's router: `streamlit run app.py`. Everything a page needs, it asks for itself."""

from failtrace.ui.bootstrap import navigation, routed

with routed():
    navigation().run()
