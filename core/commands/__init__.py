"""The command line, a file for each word after `python -m core`; core/__main__.py puts them together.
A new command is a function with `@database_command` here, and a line there; CONTRIBUTING.md says more.
"""
