"""Thousands of people sign up while every server and process is killed, frozen, cut off and lied to, by a seed."""
