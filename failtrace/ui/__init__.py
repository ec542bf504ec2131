"""What the dashboard's pages are made of. The only package that imports Streamlit."""
