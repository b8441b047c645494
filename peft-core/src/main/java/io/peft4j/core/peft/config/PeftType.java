package io.peft4j.core.peft.config;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What the method of a configuration record is called, in files and for people. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface PeftType {
    /** Its id, {@code peft_type} in {@code adapter_config.json}, for instance {@code LORA}. */
    String value();

    /** Its name on the command line. */
    String name() default "";

    /** What it trains, in a few words. */
    String description() default "";

    /** The address of the paper. */
    String paper() default "";

    /** {@link PeftConfig#autoRateFactor}, where it is the same for all configurations; default 1. */
    double autoRateFactor() default 1;
}
