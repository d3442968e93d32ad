"""Still pictures of what the widgets show, in pure Python: one file a picture, drawn with the widgets' own numbers."""
