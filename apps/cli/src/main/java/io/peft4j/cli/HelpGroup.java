package io.peft4j.cli;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The heading below which {@code --help} lists an option, or all options of a class that do not say otherwise. */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.FIELD})
@interface HelpGroup {
    /** What a command works on. */
    String DATA = "Model and data";
    /** What becomes of the result. */
    String OUTPUT = "Output";
    /** How a training learns. */
    String TRAINING = "Training";
    /** What a training learns. */
    String OBJECTIVE = "Objective";
    /** How answers are generated. */
    String ANSWERS = "Answers";
    /** Processor and memory. */
    String MACHINE = "Machine";

    String value();
}
