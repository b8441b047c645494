package io.peft4j.cloud.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.cloud.jobs.CloudJobs.CloudJobStatus;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sagemaker.SageMakerClient;

/** A job in SageMaker as moto emulates it: it is over as soon as it is submitted. */
class SageMakerJobsEmulatorTest {
    @TempDir
    Path folder;

    @Test
    void aJobIsSubmittedAndFollowedToItsEnd() throws Exception {
        try (Emulator moto = Emulator.moto(folder);
                SageMakerClient client = SageMakerClient.builder().httpClient(UrlConnectionHttpClient.create())
                        .region(Region.EU_CENTRAL_1).endpointOverride(URI.create(moto.address()))
                        .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("a", "b")))
                        .build();
                CloudJobs jobs = new SageMakerJobs(client)) {
            String id = jobs.submit(CloudJobRequestTest.request("s3://"));
            List<CloudJobStatus.State> states = new ArrayList<>();
            CloudJobStatus end = jobs.follow(id, Duration.ofMillis(10), status -> states.add(status.state()));
            assertEquals(CloudJobStatus.State.SUCCEEDED, end.state(), end.toString());
            assertEquals(List.of(CloudJobStatus.State.SUCCEEDED), states);
            assertEquals("1e-3", client.describeTrainingJob(request -> request.trainingJobName(id)).hyperParameters()
                    .get("learning_rate"));
            UncheckedIOException unknown = assertThrows(UncheckedIOException.class, () -> jobs.status("none"));
            assertTrue(unknown.getMessage().startsWith("SageMaker did not find the job 'none': "),
                    unknown.getMessage());
        }
    }
}
