package io.peft4j.cloud.jobs;

import io.peft4j.cloud.jobs.CloudJobs.CloudJobStatus;
import io.peft4j.core.error.ConfigurationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.sagemaker.SageMakerClient;
import software.amazon.awssdk.services.sagemaker.model.Channel;
import software.amazon.awssdk.services.sagemaker.model.CreateTrainingJobRequest;
import software.amazon.awssdk.services.sagemaker.model.DescribeTrainingJobResponse;
import software.amazon.awssdk.services.sagemaker.model.MetricDefinition;
import software.amazon.awssdk.services.sagemaker.model.S3DataDistribution;
import software.amazon.awssdk.services.sagemaker.model.S3DataType;
import software.amazon.awssdk.services.sagemaker.model.TrainingInputMode;

/** Training jobs of Amazon SageMaker. A job is named by its name. */
public final class SageMakerJobs implements CloudJobs {
    private static final String STORAGE = "s3://";

    private final SageMakerClient client;

    /** Jobs through a client, which is taken over: closing closes it. */
    public SageMakerJobs(SageMakerClient client) {
        this.client = Objects.requireNonNull(client, "client");
    }

    /** With credentials, region and endpoint of the environment. */
    public static SageMakerJobs fromEnvironment() {
        return new SageMakerJobs(SageMakerClient.builder().httpClient(UrlConnectionHttpClient.create()).build());
    }

    @Override
    public String submit(CloudJobRequest request) {
        CreateTrainingJobRequest job = job(request);
        ask("submit", request.name(), () -> client.createTrainingJob(job));
        return request.name();
    }

    /** The job as SageMaker wants it: a container that reads channels and keeps its checkpoints in S3. */
    static CreateTrainingJobRequest job(CloudJobRequest request) {
        request.requireIn(STORAGE);
        String role = request.identity().orElseThrow(() -> new ConfigurationException("the job '" + request.name()
                + "' has no role; SageMaker needs the ARN of one that may read its data and write its output"));
        Map<String, String> hyperparameters = new LinkedHashMap<>(request.options());
        List<Channel> channels = new ArrayList<>(List.of(channel("training", request.data())));
        request.validation().ifPresent(place -> channels.add(channel("validation", place)));
        if (request.model().startsWith(STORAGE)) {
            channels.add(channel("model", request.model()));
        } else {
            hyperparameters.put("model", request.model());
        }
        List<MetricDefinition> metrics = MetricDefinitions.regexes().entrySet().stream()
                .map(entry -> MetricDefinition.builder().name(entry.getKey()).regex(entry.getValue()).build()).toList();
        int seconds = (int) request.limit().toSeconds();
        return CreateTrainingJobRequest.builder().trainingJobName(request.name()).roleArn(role)
                .algorithmSpecification(algorithm -> algorithm.trainingImage(request.image())
                        .trainingInputMode(TrainingInputMode.FILE).metricDefinitions(metrics))
                .hyperParameters(hyperparameters).inputDataConfig(channels)
                .outputDataConfig(output -> output.s3OutputPath(request.output()))
                .checkpointConfig(kept -> kept.s3Uri(request.outputOf("checkpoints")))
                .resourceConfig(resources -> resources.instanceType(request.machine()).instanceCount(1)
                        .volumeSizeInGB(request.diskGigabytes()))
                .enableManagedSpotTraining(request.spot())
                .stoppingCondition(limit -> limit.maxRuntimeInSeconds(seconds)
                        .maxWaitTimeInSeconds(request.spot() ? seconds : null))
                .build();
    }

    private static Channel channel(String name, String place) {
        return Channel.builder().channelName(name).dataSource(source -> source.s3DataSource(s3 -> s3
                .s3DataType(S3DataType.S3_PREFIX).s3Uri(place)
                .s3DataDistributionType(S3DataDistribution.FULLY_REPLICATED))).build();
    }

    @Override
    public CloudJobStatus status(String id) {
        DescribeTrainingJobResponse job = ask("find", id,
                () -> client.describeTrainingJob(request -> request.trainingJobName(id)));
        CloudJobStatus.State state = switch (job.trainingJobStatus()) {
            case COMPLETED -> CloudJobStatus.State.SUCCEEDED;
            case FAILED -> CloudJobStatus.State.FAILED;
            case STOPPED -> CloudJobStatus.State.STOPPED;
            case STOPPING -> CloudJobStatus.State.STOPPING;
            case IN_PROGRESS -> "Training".equals(job.secondaryStatusAsString()) ? CloudJobStatus.State.RUNNING
                    : CloudJobStatus.State.PENDING;
            default -> CloudJobStatus.State.PENDING;
        };
        return new CloudJobStatus(state, job.secondaryStatusAsString() == null ? job.trainingJobStatusAsString()
                : job.secondaryStatusAsString(), Objects.requireNonNullElse(job.failureReason(), ""));
    }

    @Override
    public void stop(String id) {
        ask("stop", id, () -> client.stopTrainingJob(request -> request.trainingJobName(id)));
    }

    private static <T> T ask(String what, String id, Supplier<T> question) {
        try {
            return question.get();
        } catch (SdkException e) {
            throw new UncheckedIOException("SageMaker did not " + what + " the job '" + id + "': " + e.getMessage(),
                    new IOException(e));
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
