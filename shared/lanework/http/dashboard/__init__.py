"""The dashboard: pages for a browser, over the same engine as the API. A module per page; templates beside them."""
