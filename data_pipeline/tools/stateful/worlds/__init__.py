"""The worlds of the stateful domains: what a state holds and how it begins, one module a domain."""
