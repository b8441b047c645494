package io.peft4j.cloud.jobs;

import com.google.api.gax.rpc.ApiException;
import com.google.cloud.aiplatform.v1.ContainerSpec;
import com.google.cloud.aiplatform.v1.CustomJob;
import com.google.cloud.aiplatform.v1.CustomJobSpec;
import com.google.cloud.aiplatform.v1.DiskSpec;
import com.google.cloud.aiplatform.v1.EnvVar;
import com.google.cloud.aiplatform.v1.GcsDestination;
import com.google.cloud.aiplatform.v1.JobServiceClient;
import com.google.cloud.aiplatform.v1.JobServiceSettings;
import com.google.cloud.aiplatform.v1.MachineSpec;
import com.google.cloud.aiplatform.v1.Scheduling;
import com.google.cloud.aiplatform.v1.WorkerPoolSpec;
import com.google.protobuf.Duration;
import io.peft4j.cloud.jobs.CloudJobs.CloudJobStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Custom training jobs of Google's Vertex AI. A job is named by its resource name, {@code
 * projects/.../locations/.../customJobs/...}.
 */
public final class VertexJobs implements CloudJobs {
    private static final String STORAGE = "gs://";

    private final JobServiceClient client;
    private final String parent;

    /**
     * Jobs through a client, which is taken over: closing closes it.
     *
     * @param project the project
     * @param region the region, for instance {@code europe-west4}
     */
    public VertexJobs(JobServiceClient client, String project, String region) {
        this.client = Objects.requireNonNull(client, "client");
        this.parent = "projects/" + project + "/locations/" + region;
    }

    /**
     * With credentials of the environment.
     *
     * @throws UncheckedIOException when there are none
     */
    public static VertexJobs fromEnvironment(String project, String region) {
        try {
            return new VertexJobs(JobServiceClient.create(JobServiceSettings.newBuilder()
                    .setEndpoint(region + "-aiplatform.googleapis.com:443").build()), project, region);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot reach Vertex AI: " + e.getMessage(), e);
        }
    }

    @Override
    public String submit(CloudJobRequest request) {
        CustomJob job = job(request);
        return ask("submit", request.name(), () -> client.createCustomJob(parent, job)).getName();
    }

    /**
     * The job as Vertex AI wants it. The folder of the output becomes {@code AIP_MODEL_DIR} and its siblings; for
     * data a custom job has no variable of its own.
     */
    static CustomJob job(CloudJobRequest request) {
        request.requireIn(STORAGE);
        Map<String, String> variables = new TreeMap<>();
        request.options().forEach((name, value) -> variables.put("PEFT4J_" + name.toUpperCase(Locale.ROOT), value));
        variables.put("PEFT4J_MODEL", request.model());
        variables.put("PEFT4J_DATA", request.data());
        request.validation().ifPresent(place -> variables.put("PEFT4J_VALIDATION", place));
        ContainerSpec.Builder container = ContainerSpec.newBuilder().setImageUri(request.image()).addArgs("vertex")
                .addArgs("train");
        variables.forEach((name, value) -> container.addEnv(EnvVar.newBuilder().setName(name).setValue(value)));
        CustomJobSpec.Builder spec = CustomJobSpec.newBuilder()
                .addWorkerPoolSpecs(WorkerPoolSpec.newBuilder().setReplicaCount(1).setContainerSpec(container)
                        .setMachineSpec(MachineSpec.newBuilder().setMachineType(request.machine()))
                        .setDiskSpec(DiskSpec.newBuilder().setBootDiskSizeGb(request.diskGigabytes())))
                .setBaseOutputDirectory(GcsDestination.newBuilder().setOutputUriPrefix(request.outputOf("")))
                .setScheduling(Scheduling.newBuilder()
                        .setStrategy(request.spot() ? Scheduling.Strategy.SPOT : Scheduling.Strategy.STANDARD)
                        .setRestartJobOnWorkerRestart(request.spot())
                        .setTimeout(Duration.newBuilder().setSeconds(request.limit().toSeconds())));
        request.identity().ifPresent(spec::setServiceAccount);
        return CustomJob.newBuilder().setDisplayName(request.name()).setJobSpec(spec).build();
    }

    @Override
    public CloudJobStatus status(String id) {
        return status(ask("find", id, () -> client.getCustomJob(id)));
    }

    /** The status of a job that Vertex AI describes so. */
    static CloudJobStatus status(CustomJob job) {
        CloudJobStatus.State state = switch (job.getState()) {
            case JOB_STATE_RUNNING, JOB_STATE_UPDATING -> CloudJobStatus.State.RUNNING;
            case JOB_STATE_SUCCEEDED -> CloudJobStatus.State.SUCCEEDED;
            case JOB_STATE_FAILED, JOB_STATE_EXPIRED, JOB_STATE_PARTIALLY_SUCCEEDED -> CloudJobStatus.State.FAILED;
            case JOB_STATE_CANCELLED -> CloudJobStatus.State.STOPPED;
            case JOB_STATE_CANCELLING -> CloudJobStatus.State.STOPPING;
            default -> CloudJobStatus.State.PENDING;
        };
        return new CloudJobStatus(state, job.getState().name(), job.hasError() ? job.getError().getMessage() : "");
    }

    @Override
    public void stop(String id) {
        ask("stop", id, () -> {
            client.cancelCustomJob(id);
            return id;
        });
    }

    private static <T> T ask(String what, String id, Supplier<T> question) {
        try {
            return question.get();
        } catch (ApiException e) {
            throw new UncheckedIOException("Vertex AI did not " + what + " the job '" + id + "': " + e.getMessage(),
                    new IOException(e));
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
