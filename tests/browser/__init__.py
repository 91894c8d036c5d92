"""The panels, in headless Chromium, against a real JupyterLab."""
