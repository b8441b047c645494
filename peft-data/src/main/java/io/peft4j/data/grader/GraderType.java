package io.peft4j.data.grader;

/**
 * A kind of grader that is read from JSON. A public class with a constructor without parameters and a line in
 * {@code META-INF/services/io.peft4j.data.grader.GraderType} is found by {@link Graders}.
 */
public interface GraderType {
    /** The value of {@code type}, such as {@code string_check}. */
    String name();

    /**
     * Reads a grader.
     *
     * @param object its keys; one that is not asked for here is an error
     * @param tools the models that it may ask
     * @throws io.peft4j.core.error.ConfigurationException when a key is missing or wrong
     */
    Grader read(GraderObject object, GraderTools tools);
}
