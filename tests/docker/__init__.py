"""The files of docker/ say what the service needs, and their commands do what they say."""
