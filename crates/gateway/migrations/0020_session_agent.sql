-- What an owner is signed in with, as it names itself, to tell sessions from each other.
ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';
