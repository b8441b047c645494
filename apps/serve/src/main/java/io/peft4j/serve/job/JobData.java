package io.peft4j.serve.job;

import io.peft4j.core.error.DataException;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.data.task.RowKind;
import io.peft4j.serve.store.Job;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The examples of a job.
 *
 * @param chats what a supervised training learns; of preferences the better answers
 * @param preferences what a training by preferences learns, else empty
 * @param prompts what a training by reinforcement answers, else empty
 */
record JobData(ChatDataset chats, List<PreferenceExample> preferences, List<AnswerGroup> prompts) {
    JobData {
        preferences = List.copyOf(preferences);
        prompts = List.copyOf(prompts);
    }

    /** Reads the file of a job by its method. */
    static JobData read(Path file, String param, Job job) {
        return job.method().equals(JobRequest.REINFORCEMENT) ? prompts(file, param)
                : read(file, param, job.method().equals("dpo"));
    }

    private static JobData prompts(Path file, String param) {
        try {
            List<AnswerGroup> prompts = RowKind.PROMPTS.read(DataFile.of(file));
            return new JobData(ChatDataset.of(prompts.stream().map(AnswerGroup::prompt).toList()), List.of(), prompts);
        } catch (DataException e) {
            throw fault(param, e);
        }
    }

    private static JobFault fault(String param, DataException e) {
        return JobFault.of(param, param + (e.line() > 0 ? " line " + e.line() : "") + ": " + e.problem());
    }

    /**
     * Reads a file.
     *
     * @param param the field of the job that names it
     * @throws JobFault when it holds what the method does not learn from
     */
    private static JobData read(Path file, String param, boolean preferences) {
        requireFormat(file, param, preferences);
        try {
            if (!preferences) {
                return new JobData(ChatDataset.read(file), List.of(), List.of());
            }
            List<PreferenceExample> pairs = RowKind.PREFERENCES.read(DataFile.of(file));
            return new JobData(ChatDataset.of(pairs.stream().flatMap(pair -> pair.toChat().stream()).toList()), pairs,
                    List.of());
        } catch (DataException e) {
            throw fault(param, e);
        }
    }

    private static void requireFormat(Path file, String param, boolean preferences) {
        try (ExampleReader reader = ExampleReader.open(file)) {
            reader.next();
            Optional<DataFormat> format = reader.format();
            boolean pairs = format.equals(Optional.of(DataFormat.PREFERENCE));
            if (preferences && !pairs) {
                throw JobFault.of(param, param + ": the method dpo learns from rows with input, preferred_output and "
                        + "non_preferred_output; these are " + format.map(DataFormat::word).orElse("other") + " rows");
            }
            if (!preferences && pairs) {
                throw JobFault.of(param, param + ": the rows hold preferences, which the method dpo learns from; the "
                        + "method supervised learns from rows with messages");
            }
        }
    }
}
