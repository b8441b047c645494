package io.peft4j.serve.store;

/**
 * A worker's hold on a job: whatever is written about the job shows it.
 *
 * @param job the job as it was when it was taken
 * @param fence a number that rises whenever the job is taken, by whomever: of two who believe to hold it, the database
 *     listens to the one with the higher number
 */
public record JobClaim(Job job, long fence) {
    /** The id of the job. */
    public String id() {
        return job.id();
    }
}
