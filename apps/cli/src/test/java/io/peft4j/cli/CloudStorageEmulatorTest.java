package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.cloud.jobs.Emulator;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Commands on what lies in S3 and in Google Cloud Storage, with the class path that the launcher gives them
 * ({@code integrations/cloud/target/classpath.txt}, which {@code mvn package} writes).
 */
class CloudStorageEmulatorTest {
    @TempDir
    Path folder;

    private static void request(String method, String address, byte[] body) throws IOException, InterruptedException {
        HttpResponse<String> answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(address))
                .header("Content-Type", "application/json").header("Authorization", "AWS4-HMAC-SHA256 "
                        + "Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00")
                .method(method, HttpRequest.BodyPublishers.ofByteArray(body)).build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer.body());
    }

    @Test
    void modelDataAndOutputLieInTheClouds() throws Exception {
        Path data = Files.write(folder.resolve("train.jsonl"), MlFolder.chats(0, 12));
        try (Emulator moto = Emulator.moto(folder); Emulator google = Emulator.googleStorage(folder)) {
            request("PUT", moto.address() + "/bucket", new byte[0]);
            for (Path file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
                    .stream().map(MlFolder.MODEL::resolve).toList()) {
                request("PUT", moto.address() + "/bucket/models/tiny/" + file.getFileName(), Files.readAllBytes(file));
            }
            request("POST", google.address() + "/storage/v1/b",
                    "{\"name\": \"bucket\"}".getBytes(StandardCharsets.UTF_8));
            request("POST", google.address() + "/upload/storage/v1/b/bucket/o?uploadType=media&name=data/train.jsonl",
                    Files.readAllBytes(data));
            Path stdin = Files.write(folder.resolve("empty"), List.of());
            Map<String, String> environment = Map.of("AWS_ENDPOINT_URL", moto.address(), "AWS_ACCESS_KEY_ID", "a",
                    "AWS_SECRET_ACCESS_KEY", "b", "AWS_REGION", "us-east-1", "STORAGE_EMULATOR_HOST",
                    google.address(), "XDG_CACHE_HOME", folder.resolve("cache").toString(), JavaProcess.MORE_CLASSES,
                    File.pathSeparator
                            + Files.readString(Path.of("../../integrations/cloud/target/classpath.txt")).strip());
            Object[] train = {"train", "--model", "s3://bucket/models/tiny", "--data=gs://bucket/data/train.jsonl",
                "--output", "s3://bucket/runs/one", "--epochs", 1, "--batch-size", 4, "--rank", 4, "--dtype", "f32",
                "--threads", 2, "--tracker", "tensorboard=gs://bucket/logs"};
            JavaProcess run = JavaProcess.start(folder, stdin, environment, List.of(), train);
            assertEquals(0, run.status(), run.err());
            Path straight = folder.resolve("straight");
            CommandRun.succeeding("train", "--model", MlFolder.MODEL, "--data", data, "--output", straight, "--epochs",
                    1, "--batch-size", 4, "--rank", 4, "--dtype", "f32", "--threads", 2);
            JavaProcess score = JavaProcess.start(folder, stdin, environment, List.of(), "score", "--model",
                    "s3://bucket/models/tiny", "--adapter", "s3://bucket/runs/one", "--data",
                    "gs://bucket/data/train.jsonl", "--json");
            assertEquals(0, score.status(), score.err());
            assertEquals(12, score.out().lines().count());
            Path fetched = folder.resolve("cache/peft4j/remote/s3/bucket/runs/one");
            assertArrayEquals(Files.readAllBytes(straight.resolve("adapter_model.safetensors")),
                    Files.readAllBytes(fetched.resolve("adapter_model.safetensors")));
            HttpResponse<String> logs = HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(
                    google.address() + "/storage/v1/b/bucket/o?prefix=logs/")).build(),
                    HttpResponse.BodyHandlers.ofString());
            assertTrue(logs.body().contains("events.out.tfevents"), logs.body());

            // The folder holds a run now, and so does the copy of a machine that has never seen it.
            Map<String, String> elsewhere = new HashMap<>(environment);
            elsewhere.put("XDG_CACHE_HOME", folder.resolve("other").toString());
            JavaProcess again = JavaProcess.start(folder, stdin, elsewhere, List.of(), train);
            assertEquals(1, again.status(), again.err());
            assertTrue(again.err().contains("already holds a run"), again.err());
        }
    }

    @Test
    void aVertexJobGoesOnOnAnotherMachineFromItsCheckpointsInTheCloud() throws Exception {
        try (Emulator google = Emulator.googleStorage(folder)) {
            request("POST", google.address() + "/storage/v1/b",
                    "{\"name\": \"bucket\"}".getBytes(StandardCharsets.UTF_8));
            for (int part = 0; part < 2; part++) {
                request("POST", google.address() + "/upload/storage/v1/b/bucket/o?uploadType=media&name=data/part-"
                        + part + ".jsonl",
                        String.join("\n", MlFolder.chats(6 * part, 6 * part + 6))
                                .getBytes(StandardCharsets.UTF_8));
            }
            Map<String, String> environment = new HashMap<>(Map.of("STORAGE_EMULATOR_HOST", google.address(),
                    "AIP_TRAINING_DATA_URI", "gs://bucket/data/part-*.jsonl", "AIP_MODEL_DIR", "gs://bucket/run/model",
                    "AIP_CHECKPOINT_DIR", "gs://bucket/run/checkpoints", "AIP_TENSORBOARD_LOG_DIR",
                    "gs://bucket/run/logs", "PEFT4J_MODEL", MlFolder.MODEL.toString(), "PEFT4J_CHECKPOINT_STEPS", "2",
                    "XDG_CACHE_HOME", folder.resolve("one").toString(), JavaProcess.MORE_CLASSES, File.pathSeparator
                            + Files.readString(Path.of("../../integrations/cloud/target/classpath.txt")).strip()));
            Path stdin = Files.write(folder.resolve("empty"), List.of());
            Object[] train = {"vertex", "train", "--", "--epochs", 2, "--batch-size", 4, "--rank", 4, "--dtype", "f32",
                "--threads", 2};
            JavaProcess run = JavaProcess.start(folder, stdin, environment, List.of(), train);
            assertEquals(0, run.status(), run.err());
            environment.put("XDG_CACHE_HOME", folder.resolve("two").toString());
            JavaProcess again = JavaProcess.start(folder, stdin, environment, List.of(), train);
            assertEquals(0, again.status(), again.err());
            assertTrue(again.err().contains("6 steps done before"), again.err());
            String weights = "peft4j/remote/gs/bucket/run/model/adapter_model.safetensors";
            assertArrayEquals(Files.readAllBytes(folder.resolve("one").resolve(weights)),
                    Files.readAllBytes(folder.resolve("two").resolve(weights)));
        }
    }
}
