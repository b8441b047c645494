package io.peft4j.cloud.jobs;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Training jobs of a cloud.
 *
 * <pre>{@code
 * try (CloudJobs jobs = SageMakerJobs.fromEnvironment()) {
 *     String id = jobs.submit(CloudJobRequest.of("handbook", image, "ml.m7i.2xlarge")
 *             .withIdentity(roleArn).withModel("HuggingFaceTB/SmolLM2-135M-Instruct")
 *             .withData("s3://bucket/handbook/", Optional.empty()).withOutput("s3://bucket/runs"));
 *     CloudJobStatus end = jobs.follow(id, Duration.ofSeconds(30), status -> System.out.println(status.state()));
 * }
 * }</pre>
 */
public interface CloudJobs extends AutoCloseable {
    /**
     * Submits a job.
     *
     * @return what names it for the other methods
     * @throws io.peft4j.core.error.ConfigurationException when the request lacks what the cloud needs
     * @throws java.io.UncheckedIOException when the cloud refuses it, or is not reached
     */
    String submit(CloudJobRequest request);

    /**
     * The status of a job.
     *
     * @throws java.io.UncheckedIOException when the cloud does not know it, or is not reached
     */
    CloudJobStatus status(String id);

    /** Asks a job to save what it has and to end. */
    void stop(String id);

    @Override
    void close();

    /**
     * Waits until a job has ended.
     *
     * @param id names the job
     * @param every time between two questions
     * @param listener is called when the status changes
     * @return how it ended
     */
    default CloudJobStatus follow(String id, Duration every, Consumer<CloudJobStatus> listener) {
        Optional<CloudJobStatus> last = Optional.empty();
        try {
            while (last.isEmpty() || !last.get().state().hasEnded()) {
                if (last.isPresent()) {
                    TimeUnit.MILLISECONDS.sleep(every.toMillis());
                }
                CloudJobStatus now = status(id);
                if (!last.equals(Optional.of(now))) {
                    listener.accept(now);
                }
                last = Optional.of(now);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return last.orElseGet(() -> status(id));
    }

    /**
     * The status of a job.
     *
     * @param state in a word that both clouds share
     * @param detail what the cloud itself calls it
     * @param failure why it failed, in the words of the container; empty where it did not
     */
    record CloudJobStatus(State state, String detail, String failure) {
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
}
