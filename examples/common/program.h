/* program.h: what each of the programs says about itself. */
#ifndef EXAMPLES_PROGRAM_H
#define EXAMPLES_PROGRAM_H

/* Its name, which stands before its messages. The file with main defines it. */
extern const char program_name[];

#endif /* EXAMPLES_PROGRAM_H */
