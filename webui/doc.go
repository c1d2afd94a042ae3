// Package webui owns what a browser gets: pages, the chat client and its assets.
package webui
