"""Numbers: counted, added up, compared with SLAs and alerts' bounds. Pure."""
