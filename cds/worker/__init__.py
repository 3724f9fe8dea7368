"""What happens between hook calls: patients are read again and graded again, one at a time.

A notification or a poll is only a reason to read. Whatever order such reasons come in, however
often, a patient's current record alone decides; nothing of a notification is evaluated.
"""
