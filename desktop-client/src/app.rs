//! The window: ferries between the link, the archive, the model and the view.
