/*
 * error.h
 *		What every error about user input carries.
 *
 * Arguments may hold personal data or secrets, and the server log prints the
 * statement of a failed command.  So each ereport(ERROR) of a function that
 * takes such arguments ends with bcce_hide_input(): the log then keeps the
 * SQLSTATE and our own words, not the text of the statement.
 */
#ifndef BCCE_ERROR_H
#define BCCE_ERROR_H

#define bcce_hide_input()	(errhidestmt(true), errhidecontext(true))

#endif
