package io.peft4j.cloud.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.cloud.aiplatform.v1.CustomJob;
import com.google.cloud.aiplatform.v1.EnvVar;
import com.google.cloud.aiplatform.v1.JobState;
import com.google.cloud.aiplatform.v1.Scheduling;
import com.google.cloud.aiplatform.v1.WorkerPoolSpec;
import com.google.rpc.Status;
import io.peft4j.cloud.jobs.CloudJobs.CloudJobStatus;
import io.peft4j.core.error.ConfigurationException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.sagemaker.model.Channel;
import software.amazon.awssdk.services.sagemaker.model.CreateTrainingJobRequest;

/** What is sent to the clouds for a job. No emulator has Vertex AI's jobs, so only its request is checked. */
class CloudJobRequestTest {
    static CloudJobRequest request(String storage) {
        return CloudJobRequest.of("handbook-1", "registry/peft4j:1", "machine-8")
                .withIdentity("arn:aws:iam::123456789012:role/trainer").withModel("HuggingFaceTB/SmolLM2-135M-Instruct")
                .withData(storage + "bucket/train/", Optional.of(storage + "bucket/held/"))
                .withOutput(storage + "bucket/runs/").withOptions(Map.of("learning_rate", "1e-3", "epochs", "3"));
    }

    @Test
    void sageMakerGetsChannelsHyperparametersAndMetrics() {
        CreateTrainingJobRequest job = SageMakerJobs.job(request("s3://").onSpot(Duration.ofHours(2)));
        assertEquals(Map.of("learning_rate", "1e-3", "epochs", "3", "model", "HuggingFaceTB/SmolLM2-135M-Instruct"),
                job.hyperParameters());
        assertEquals(Map.of("training", "s3://bucket/train/", "validation", "s3://bucket/held/"),
                job.inputDataConfig().stream().collect(Collectors.toMap(Channel::channelName,
                        channel -> channel.dataSource().s3DataSource().s3Uri())));
        assertEquals("s3://bucket/runs/handbook-1/checkpoints", job.checkpointConfig().s3Uri());
        assertEquals(MetricDefinitions.regexes().size(), job.algorithmSpecification().metricDefinitions().size());
        assertEquals(1, job.resourceConfig().instanceCount());
        assertTrue(job.enableManagedSpotTraining());
        assertEquals(7200, job.stoppingCondition().maxWaitTimeInSeconds());
    }

    @Test
    void aModelInS3IsAChannel() {
        CreateTrainingJobRequest job = SageMakerJobs.job(request("s3://").withModel("s3://bucket/smollm2/"));
        assertFalse(job.hyperParameters().containsKey("model"));
        assertEquals(3, job.inputDataConfig().size());
        assertEquals("model", job.inputDataConfig().get(2).channelName());
    }

    @Test
    void vertexAiGetsVariables() {
        CustomJob job = VertexJobs.job(request("gs://").onSpot(Duration.ofHours(2)));
        WorkerPoolSpec pool = job.getJobSpec().getWorkerPoolSpecs(0);
        assertEquals(Map.of("PEFT4J_MODEL", "HuggingFaceTB/SmolLM2-135M-Instruct", "PEFT4J_DATA",
                "gs://bucket/train/", "PEFT4J_VALIDATION", "gs://bucket/held/", "PEFT4J_LEARNING_RATE", "1e-3",
                "PEFT4J_EPOCHS", "3"),
                pool.getContainerSpec().getEnvList().stream()
                        .collect(Collectors.toMap(EnvVar::getName, EnvVar::getValue)));
        assertEquals("[vertex, train]", pool.getContainerSpec().getArgsList().toString());
        assertEquals("gs://bucket/runs/handbook-1/", job.getJobSpec().getBaseOutputDirectory().getOutputUriPrefix());
        assertEquals(Scheduling.Strategy.SPOT, job.getJobSpec().getScheduling().getStrategy());
        assertEquals(7200, job.getJobSpec().getScheduling().getTimeout().getSeconds());
        assertEquals("machine-8", pool.getMachineSpec().getMachineType());
        assertEquals(1, pool.getReplicaCount());
    }

    @Test
    void vertexAisWordsForAStateAreUnderstood() {
        CustomJob failed = CustomJob.newBuilder().setState(JobState.JOB_STATE_FAILED)
                .setError(Status.newBuilder().setMessage("exit status 1")).build();
        assertEquals(new CloudJobStatus(CloudJobStatus.State.FAILED, "JOB_STATE_FAILED", "exit status 1"),
                VertexJobs.status(failed));
        for (JobState state : JobState.values()) {
            if (state != JobState.UNRECOGNIZED) {
                CloudJobStatus.State here = VertexJobs.status(CustomJob.newBuilder().setState(state).build()).state();
                assertEquals(state.name().matches(".*(SUCCEEDED|FAILED|EXPIRED|CANCELLED)"), here.hasEnded(),
                        state.name());
            }
        }
    }

    @Test
    void whatACloudCannotUseIsNamed() {
        assertTrue(assertThrows(ConfigurationException.class, () -> SageMakerJobs.job(request("gs://"))).getMessage()
                .contains("the data of the job 'handbook-1' is 'gs://bucket/train/'; it must be an address s3://"));
        assertTrue(assertThrows(ConfigurationException.class, () -> VertexJobs.job(request("gs://").withModel("")))
                .getMessage().contains("has no base model"));
        assertTrue(assertThrows(ConfigurationException.class, () -> CloudJobRequest.of("a_b", "image", "machine"))
                .getMessage().startsWith("invalid job name 'a_b'"));
    }
}
