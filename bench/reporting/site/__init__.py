"""The site of a board: pages, downloads, charts and a feed, as files that need no server."""
