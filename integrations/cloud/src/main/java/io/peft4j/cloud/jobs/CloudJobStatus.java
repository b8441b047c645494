package io.peft4j.cloud.jobs;

/**
 * The status of a job.
 *
 * @param state in a word that both clouds share
 * @param detail what the cloud itself calls it
 * @param failure why it failed, in the words of the container; empty where it did not
 */
public record CloudJobStatus(State state, String detail, String failure) {
    /** Where a job is. */
    public enum State {
        /** It waits for a machine, or its container is being fetched. */
        PENDING(false),
        /** It trains. */
        RUNNING(false),
        /** It has been asked to stop. */
        STOPPING(false),
        /** It has ended well. */
        SUCCEEDED(true),
        /** It has failed. */
        FAILED(true),
        /** It was stopped. */
        STOPPED(true);

        private final boolean ended;

        State(boolean ended) {
            this.ended = ended;
        }

        /** Whether nothing comes after it. */
        public boolean hasEnded() {
            return ended;
        }
    }
}
