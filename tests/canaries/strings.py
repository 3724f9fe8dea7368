"""The strings that are sent and searched for: each so odd that it is nowhere by chance."""

FHIR_TOKEN = "Canaryfhirtoken7f3a91"
JTI = "Canaryjti5b2c80"
FAMILY = "Zzyzxcanary"
GIVEN = "Quillfeathercanary"
BIRTH_DATE = "1931-08-23"
MRN = "MRN-90417735512"
PHONE = "555-0141-7788"
COMMENT = "Zzyzxcomment of the user, room 4171"
VENDOR = "Canaryvendor61d0"  # in members and headers that nobody reads

# Degrees Celsius sent and read, kg, mmHg, %: with more digits than a conversion, a rule, a duration
# or the time of a log line has.
SENT_TEMPERATURE = "39.3719"
READ_TEMPERATURE = "39.7359"
WEIGHT = "71.9347"
SYSTOLIC = "113.5739"
SATURATION = "91.3713"

# In no log, no page, no answer and no record.
NOWHERE = (FHIR_TOKEN, JTI, FAMILY, GIVEN, BIRTH_DATE, MRN, PHONE, VENDOR)
# In the answer to the call, in the assessment of its decision, and nowhere else.
CLINICAL = (SENT_TEMPERATURE, READ_TEMPERATURE, WEIGHT, SYSTOLIC, SATURATION)
# In the feedback that was stored, and nowhere else.
FEEDBACK = (COMMENT, "Zzyzxcomment")
# What other tests send as tokens.
OTHER_TOKENS = ("Canary-token-1", "secret-token")
