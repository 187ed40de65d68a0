"""URIs of databases, and the secrets in them. Connections belong to the folders of the systems that open them."""
