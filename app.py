"""The page: `streamlit run app.py`."""
