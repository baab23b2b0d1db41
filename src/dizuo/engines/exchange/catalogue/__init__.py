"""The catalogue of data resources (资源目录): metadata, binding to what is really there, and the audit of both."""
