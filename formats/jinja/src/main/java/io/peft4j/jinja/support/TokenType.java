package io.peft4j.jinja.support;

/** The kinds of tokens, each with how it is called in error messages. */
enum TokenType {
    DATA("template text"), VARIABLE_BEGIN("'{{'"), VARIABLE_END("'}}'"), BLOCK_BEGIN("'{%'"), BLOCK_END("'%}'"), NAME(
            "a name"), STRING("a string"), INTEGER("an integer"), FLOAT("a number"), POWER("'**'"), FLOOR_DIVIDE(
                    "'//'"), EQUAL("'=='"), NOT_EQUAL("'!='"), GREATER_EQUAL("'>='"), LESS_EQUAL("'<='"), GREATER(
                            "'>'"), LESS("'<'"), ASSIGN("'='"), ADD("'+'"), SUBTRACT("'-'"), MULTIPLY("'*'"), DIVIDE(
                                    "'/'"), MODULO("'%'"), TILDE("'~'"), LEFT_BRACKET(
                                            "'['"), RIGHT_BRACKET("']'"), LEFT_PAREN("'('"), RIGHT_PAREN(
                                                    "')'"), LEFT_BRACE("'{'"), RIGHT_BRACE("'}'"), DOT("'.'"), COLON(
                                                            "':'"), PIPE("'|'"), COMMA("','"), SEMICOLON(
                                                                    "';'"), END("the end of the template");

    private final String description;

    TokenType(String description) {
        this.description = description;
    }

    /** The kind in words, for error messages. */
    String description() {
        return description;
    }
}
