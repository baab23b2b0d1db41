"""Requests for data between departments (供需对接): need, check, reply on its clock, agreement, use, end."""
