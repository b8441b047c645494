package io.peft4j.serve.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.serve.http.Json;
import io.peft4j.serve.job.RunningJob.Stop;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobClaim;
import io.peft4j.serve.store.JobStatus;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What stops a job, and what comes after that. */
class RunningJobTest {
    @ParameterizedTest
    @EnumSource(value = Stop.class, names = {"SERVER", "PAUSED"})
    void aJobThatIsLostAfterItWasStoppedIsNotSaved(Stop first) {
        RunningJob running = new RunningJob(new JobClaim(new Job("ftjob-1", "local", "default", "tiny",
                JobStatus.RUNNING, false, Json.object(), Json.object(), Optional.empty(), Optional.empty(),
                Optional.empty(), List.of(), 1, Optional.empty(), Optional.empty(), Optional.empty()), 1));
        running.stop(first);
        assertTrue(running.cancellation().isRequested());
        running.stop(Stop.LOST);
        assertThrows(CancellationException.class, () -> running.cancellation().isRequested());
        running.stop(first);
        assertEquals(Optional.of(Stop.LOST), running.stopped());
    }
}
