package io.peft4j.core.option;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What a component of a record of options may be, what messages say where it is not, and how it is given by its name:
 * on the command line, to jobs and in the space of a sweep.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Option {
    /** An interval of finite numbers: {@code "[0,1)"} is from 0 to below 1, {@code "[1,)"} has no upper end. */
    String range() default "(,)";

    /** What 0 means, where it means that there is none: {@code no clipping}. */
    String zero() default "";

    /** Why the range is as it is, behind it in the message. */
    String because() default "";

    /** What messages call it: {@code the number of epochs}; the component's name by default. */
    String called() default "";

    /**
     * Its name on the command line, by words and strokes; the component's in this form by default. {@code no-shuffle}
     * is a flag that sets {@code shuffle} to false.
     */
    String name() default "";

    /** What stands for the value in help, such as {@code N} or {@code base|start}. */
    String label() default "";

    /** The default as a word; by default 0, false or nothing. */
    String usual() default "";

    /** What it does, in whole sentences; what has none is not given by its name. */
    String help() default "";

    /** The heading below which help lists it. */
    String group() default "Training";
}
