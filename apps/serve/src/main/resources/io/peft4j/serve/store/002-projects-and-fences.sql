-- A worker's hold on a job has a number, which rises whenever the job is taken, and a sign of life. No clock is asked.
ALTER TABLE jobs ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN beat BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs DROP COLUMN lease_until;
-- What was there before projects belongs to the default one.
ALTER TABLE files ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
ALTER TABLE jobs ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
ALTER TABLE models ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
-- An administrator's key has none.
ALTER TABLE api_keys ADD COLUMN project TEXT DEFAULT 'default';
