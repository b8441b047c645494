package io.peft4j.serve.http;

import io.peft4j.data.grader.GraderTemplate;
import java.util.Locale;

/**
 * What a server takes on at most: the one table of it, which {@code /openapi.json} tells under {@code x-bounds}. A
 * request is measured before anything is made of it, so that its cost is known.
 */
public enum Bound {
    REQUESTS(320, "requests at a time"), WAITING(32, "requests over 16 KB of a key that wait"), UPLOADS(64,
            "files that are received at a time"),
    /** Address, query and headers, whether or not a body follows. */
    HEAD_BYTES(8 << 10, "bytes of the first line and the headers of a request"),
    /** A sixteenth of Java's memory for bodies, of which reading makes several times as much. */
    BODIES_BYTES(Runtime.getRuntime().maxMemory() / 16, "bytes of all bodies in memory"),
    /** More than the longest prompts, far less than memory. */
    JSON_BYTES(16 << 20, "bytes of a JSON body where a route does not say less"),
    /** Of a body, each of which takes some 60 bytes or more; tokens of 100 long prompts are fewer. */
    JSON_VALUES(2_000_000, "values of a JSON body"),
    /** Of these, lists and objects, which take several times as much. */
    JSON_CONTAINERS(100_000, "lists and objects of a JSON body"),
    /** A body that only names things, and holds no text to be read. */
    NAMES_BYTES(64 << 10, "bytes of a JSON body that names files, batches or adapters"), JOB_BYTES(1 << 20,
            "bytes of a JSON body with a job or a grader"), GRADED_BYTES(4 << 20,
                    "bytes of a JSON body with an item to be graded"),
    /** As many as a request of SageMaker or Vertex AI may have. */
    CONTAINER_BYTES(6 << 20, "bytes of a JSON body to a cloud's container"), FILE_BYTES(512L << 20, "bytes of a file"),
    /** Texts, what is made of them, and other jobs take several times as much. */
    TRAINING_CHARACTERS(Runtime.getRuntime().maxMemory() / 16, "characters of unpacked training data"), ROWS(1000,
            "rows of a file that are shown"), BATCH_REQUESTS(50_000, "requests of a batch"), GRADED_CHARACTERS(
                    GraderTemplate.MOST_CHARACTERS,
                    "characters that a template makes of an item and an answer"), PROOF_QUESTIONS(1000,
                            "questions that a merged model is proved by"),
    /** What a state of typed questions may have, whatever the model: so much is tokenized at once. */
    STATE_BYTES(64 << 10, "bytes of a state, or 16 for each token that the model reads if that is more"),
    /** A state is tokenized once for each question. */
    DECISION_BYTES(4 << 20, "bytes of questions, each with its state"), QUESTIONS(400,
            "questions to /v1/decisions"), SYSTEM_ONE_QUESTIONS(64, "questions to /v1/systemone"), PROMPTS(128,
                    "prompts of a completion"), ANSWERS(128, "answers to a prompt"), STOPS(4,
                            "texts that end an answer"), SCHEMA_CHARACTERS(1 << 16,
                                    "characters of a JSON schema"), TEXTS(2048,
                                            "texts that are embedded"), DOCUMENTS(1000, "documents that are ranked");

    private final long most;
    private final String of;

    Bound(long most, String of) {
        this.most = most;
        this.of = of;
    }

    /** The number. */
    public long most() {
        return most;
    }

    /** The number, of those that are counted. */
    public int count() {
        return Math.toIntExact(most);
    }

    /** What there may be so many of. */
    public String of() {
        return of;
    }

    /** As {@code json_bytes}. */
    String code() {
        return name().toLowerCase(Locale.ROOT);
    }
}
