package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.io.FolderLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code --resume} resumes and what it refuses, and what is said before a model is looked for. */
class ResumeCommandTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize();

    @TempDir
    Path folder;

    private Path data;
    private Path output;

    @BeforeEach
    void writeData() throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            rows.add("{\"messages\": [{\"role\": \"user\", \"content\": \"Who is number " + i + "?\"}, "
                    + "{\"role\": \"assistant\", \"content\": \"Keeper " + i + ".\"}]}");
        }
        data = Files.write(folder.resolve("train.jsonl"), rows);
        output = folder.resolve("adapter");
    }

    /** The words of a training of 4 updates; options that are named here instead of the usual ones. */
    private Object[] train(Object... changes) {
        Map<Object, Object> options = new LinkedHashMap<>(Map.of("--model", MODEL, "--data", data,
                "--output", output, "--batch-size", 3, "--epochs", 2, "--learning-rate", "2e-4", "--rank", 4, "--dtype",
                "f32", "--threads", 2, "--checkpoint-steps", 3));
        List<Object> words = new ArrayList<>(List.of("train"));
        for (int i = 0; i < changes.length; i++) {
            if (i + 1 < changes.length && !changes[i + 1].toString().startsWith("--")) {
                options.put(changes[i], changes[++i]);
            } else {
                words.add(changes[i]);
            }
        }
        options.forEach((name, value) -> words.addAll(List.of(name, value)));
        return words.toArray();
    }

    /** A training whose process was killed after the checkpoint, in its last update. */
    private byte[] interrupted() throws IOException {
        CommandRun.succeeding(train());
        byte[] weights = Files.readAllBytes(output.resolve("adapter_model.safetensors"));
        Files.delete(output.resolve("adapter_model.safetensors"));
        return weights;
    }

    @Test
    void aTrainingGoesOnWhereItWas() throws IOException {
        byte[] weights = interrupted();
        CommandRun run = CommandRun.succeeding(train("--resume"));
        assertTrue(run.err().contains("3 steps done before"), run.err());
        assertArrayEquals(weights, Files.readAllBytes(output.resolve("adapter_model.safetensors")));
    }

    @Test
    void whereThereIsNoTrainingResumingSaysWhatToDo() throws IOException {
        String err = CommandRun.failing(1, train("--resume"));
        assertTrue(err.contains("no training to resume in " + output) && err.contains("--resume-or-start"),
                err);
        assertFalse(Files.exists(output));
        CommandRun.succeeding(train("--resume-or-start"));
        byte[] weights = Files.readAllBytes(output.resolve("adapter_model.safetensors"));
        assertTrue(CommandRun.succeeding(train("--resume-or-start")).err().contains("3 steps done before"));
        assertArrayEquals(weights, Files.readAllBytes(output.resolve("adapter_model.safetensors")));
        assertTrue(CommandRun.failing(2, train("--resume", "--resume-or-start")).contains("mutually exclusive"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--alpha         | 16                 | lora_alpha is 16, in the run 32",
        "--dropout       | 0.1                | lora_dropout is 0.1, in the run 0",
        "--rank          | 8                  | r is 8, in the run 4",
        "--adapter-setting | use_rslora=true  | use_rslora is true, in the run false",
        "--target-modules | q_proj            | target_modules is [\"q_proj\"], in the run ",
        "--seed          | 9                  | seed is 9, in the run 0",
        "--learning-rate | 1e-3               | learning_rate is 0.001, in the run 2.0E-4",
        "--dtype         | bf16               | dtype is ",
        "--learn         | all                | examples is ",
    })
    void anotherTrainingIsRefused(String option, String value, String difference) throws IOException {
        interrupted();
        String err = CommandRun.failing(1, train("--resume", option, value));
        assertTrue(err.contains("cannot resume from " + output.resolve("checkpoint-3"))
                && err.contains(difference), err);
        assertFalse(Files.exists(output.resolve("adapter_model.safetensors")));
    }

    @Test
    void anotherBaseIsRefused() throws IOException {
        interrupted();
        String err = CommandRun.failing(1, train("--resume", "--model", FIXTURES.resolve("tiny-llama-untied")));
        assertTrue(err.contains("base_weights is ") && err.contains("tie_word_embeddings is false"), err);
    }

    /** Gradients are sums over as many parts as there are threads, where the kernels make parts of them. */
    @Test
    void anotherNumberOfThreadsIsRefusedWhereItChangesBits() throws IOException {
        byte[] weights = interrupted();
        CommandRun run = CommandRun.of(train("--resume", "--threads", 3));
        if (run.status() == 0) {
            assertArrayEquals(weights, Files.readAllBytes(output.resolve("adapter_model.safetensors")));
        } else {
            assertTrue(run.err().contains("settings differ: threads is 3, in the run 2."), run.err());
        }
    }

    @Test
    void aFolderThatAnotherTrainingWritesToIsRefused() throws IOException {
        Files.createDirectories(output);
        try (FolderLock lock = FolderLock.take(output)) {
            assertTrue(CommandRun.failing(1, train()).contains(output + " is being written to by this process since"));
        }
        CommandRun.succeeding(train());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "2 | --learning-rate  | 0           | learning rate (--learning-rate) is 0.0; it must be above 0 and at most 1",
        "2 | --learning-rate  | -1e-4       | it must be above 0 and at most 1",
        "2 | --learning-rate  | NaN         | learning rate (--learning-rate) is NaN",
        "2 | --learning-rate  | 2e4         | learning rate (--learning-rate) is 20000.0",
        "2 | --weight-decay   | 1e4         | weight decay (--weight-decay) is 10000.0",
        "2 | --epochs         | 0           | epochs (--epochs) is 0",
        "2 | --batch-size     | -1          | batch size (--batch-size) is -1",
        "2 | --loraplus-ratio | -1          | ratio",
        "2 | --method         | lroa        | did you mean 'lora'?",
        "2 | --target-modules | q_porj      | are 'q_proj'",
        "2 | --target-modules | q_proj,layers.1.mlp.upproj | 'layers.1.mlp.upproj'",
        "1 | --adapter-init   | nowhere     | nowhere: is not a folder; an adapter is a folder with",
        "1 | --adapter-config | nowhere     | cannot read nowhere: no such file",
        "1 | --data           | nowhere     | no such file",
        "1 | --validation     | nowhere     | no such file",
        "1 | --output         | /proc/out   | cannot write to the output folder /proc/out",
    })
    void aMistakeIsToldBeforeTheModelIsLookedFor(int status, String option, String value, String complaint) {
        List<Object> words = new ArrayList<>(List.of("train", "--model", folder.resolve("no-model")));
        Map.of("--data", (Object) data, "--output", output).forEach((name, usual) -> {
            if (!name.equals(option)) {
                words.addAll(List.of(name, usual));
            }
        });
        words.addAll(List.of(option, value));
        String err = CommandRun.failing(status, words.toArray());
        assertTrue(err.contains(complaint), err);
        assertFalse(Files.exists(output));
    }

    @Test
    void aTakenFolderIsToldBeforeTheModelIsLookedFor() throws IOException {
        interrupted();
        String err = CommandRun.failing(1, train("--model", folder.resolve("no-model")));
        assertTrue(err.contains("the output folder " + output + " already holds a run (metrics.jsonl)"), err);
        String quickstart = CommandRun.failing(2, "quickstart", "--model", folder.resolve("no-model"), "--output",
                folder.resolve("story"), "--learning-rate", 20);
        assertTrue(quickstart.contains("learning rate (--learning-rate) is 20.0"), quickstart);
    }

    @Test
    void theNearestNameIsFoundForATargetOfTheModelsOwn() {
        assertEquals(0, CommandRun.of(train("--target-modules", "model.layers.1.mlp.up_proj,lm_head")).status());
    }
}
